// What every session holds: 1 KB of JSON text, in two shapes, because parsing many small values costs more than one long text.
const BYTES = 1024;

export const SHAPES = {
  objects: () =>
    filled({
      cart: Array.from({ length: 8 }, (_, index) => ({
        item: `sku-${1000 + index}`,
        title: `Madeleine no. ${index}`,
        price: 1950 + index,
        quantity: 1,
      })),
    }),
  text: () => filled({ cart: ['sku-1000'] }),
};

/** Fills up with text to the full size. `n` is what the writes count. */
function filled(data) {
  const whole = { ...data, note: '', n: 0 };
  whole.note = 'x'.repeat(BYTES - JSON.stringify(whole).length);
  return whole;
}
