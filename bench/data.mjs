// What sessions hold: JSON text of a given size, in two shapes, because parsing many small values costs more than one long text.
export const KILOBYTE = 1024;

export const SHAPES = {
  objects: (bytes = KILOBYTE) =>
    filled(bytes, {
      cart: Array.from({ length: (8 * bytes) / KILOBYTE }, (_, index) => ({
        item: `sku-${1000 + index}`,
        title: `Madeleine no. ${index}`,
        price: 1950 + index,
        quantity: 1,
      })),
    }),
  text: (bytes = KILOBYTE) => filled(bytes, { cart: ['sku-1000'] }),
};

/** Fills up with text to the full size. `n` is what the writes count. */
function filled(bytes, data) {
  const whole = { ...data, note: '', n: 0 };
  whole.note = 'x'.repeat(bytes - JSON.stringify(whole).length);
  return whole;
}
