// What the shop sells. The pictures are drawn from a few numbers, so there is nothing to download.
import { html } from './html.js';

const make = (id, name, category, cents, hue, shape, text) => ({ id, name, category, cents, hue, shape, text });

export const PRODUCTS = [
  make(
    'classic',
    'Madeleine classique',
    'Pâtisserie',
    240,
    36,
    'shell',
    'Butter, lemon zest, and a bump that took three grandmothers to perfect.',
  ),
  make(
    'honey',
    'Chestnut honey madeleine',
    'Pâtisserie',
    280,
    28,
    'shell',
    'Dark honey from the Ardèche, baked until the rims crackle.',
  ),
  make(
    'earl-grey',
    'Earl Grey madeleine',
    'Pâtisserie',
    290,
    255,
    'shell',
    'Infused overnight in milk and bergamot. It tastes of five o’clock.',
  ),
  make('rose', 'Rose madeleine', 'Pâtisserie', 310, 345, 'shell', 'Damask rose and raspberry, glazed thin as paper.'),
  make(
    'financier',
    'Almond financier',
    'Pâtisserie',
    260,
    42,
    'bar',
    'Browned butter and almonds, the shape of a small gold ingot.',
  ),
  make(
    'tin',
    'A dozen in a tin',
    'Pâtisserie',
    2600,
    200,
    'tin',
    'Twelve classics in a tin that outlives them by decades.',
  ),
  make('linden', 'Linden blossom', 'Tea', 1450, 88, 'leaf', 'The tea of the book: pale, floral, and good for dipping.'),
  make('combray', 'Combray morning', 'Tea', 1290, 18, 'leaf', 'A strong breakfast blend for slow breakfasts.'),
  make('balbec', 'Balbec sea breeze', 'Tea', 1390, 190, 'leaf', 'Green tea, mint, and a pinch of something salty.'),
  make('swann', 'Swann’s evening', 'Tea', 1590, 275, 'leaf', 'Smoked leaves and violets. Best after nine.'),
  make('pot', 'Two-cup teapot', 'Tea', 4200, 8, 'pot', 'Stoneware, glazed by hand, pours without a drip.'),
  make('cup', 'Porcelain cup', 'Tea', 1900, 210, 'cup', 'Thin enough to see the light and the tea through it.'),
  make(
    'notebook',
    'Cork-room notebook',
    'Stationery',
    1600,
    24,
    'book',
    'A hundred and ninety-two pages for very long sentences.',
  ),
  make('ink', 'Violet ink', 'Stationery', 1250, 285, 'bottle', 'The colour that schoolchildren remember.'),
  make('paper', 'Letter paper', 'Stationery', 1400, 48, 'letter', 'Fifty sheets, deckle edged, with envelopes.'),
  make(
    'bookmark',
    'Brass bookmark',
    'Stationery',
    950,
    50,
    'ribbon',
    'For when time is lost and has to be found again.',
  ),
];

export const CATEGORIES = [...new Set(PRODUCTS.map(product => product.category))];

const byId = new Map(PRODUCTS.map(product => [product.id, product]));
export const productById = id => byId.get(id);

const SHAPES = {
  shell:
    'M60 18c24 0 40 22 40 46 0 22-18 38-40 38S20 86 20 64c0-24 16-46 40-46zm0 4v76M44 26c-6 24-6 46 2 68M76 26c6 24 6 46-2 68M30 40c-2 18 2 36 12 48M90 40c2 18-2 36-12 48',
  bar: 'M24 46h72l8 34H16zM24 46l8-10h56l8 10M40 58h40',
  tin: 'M22 46c0-8 17-14 38-14s38 6 38 14v34c0 8-17 14-38 14s-38-6-38-14zM22 46c0 8 17 14 38 14s38-6 38-14',
  leaf: 'M26 92c0-44 26-66 70-66 0 44-26 66-70 66zm0 0c18-26 34-40 52-50',
  pot: 'M34 50h44c8 0 12 8 12 20s-8 24-34 24-34-12-34-24 4-20 12-20zm4-8h36M56 34v8M90 58c12-2 18 2 16 10s-8 10-18 10M22 66c-8-2-12-8-12-16',
  cup: 'M26 42h58v24c0 14-10 24-28 24S26 80 26 66zm58 8c14-2 18 6 14 14s-8 8-16 8M20 98h72',
  bottle: 'M50 24h20v14h4v10l14 12v32c0 4-3 6-6 6H38c-3 0-6-2-6-6V60l14-12V38h4zM50 38h20M32 70h56',
  letter: 'M22 36h76v52H22zM22 36l38 30 38-30M22 88l28-30M98 88L70 58',
  ribbon: 'M46 20h28v78L60 84 46 98zM46 34h28',
  book: 'M30 22h52c6 0 8 3 8 8v66H38c-6 0-8-3-8-8zm8 0v74M50 42h28M50 54h28M50 66h18',
};

/** The shop's sign, as a file of its own: a madeleine. */
export const icon = () =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="10 8 100 104"><path d="${SHAPES.shell}" fill="hsl(36 55% 78%)" stroke="hsl(36 42% 34%)" stroke-width="6" stroke-linecap="round"/></svg>`;

/** The product's picture, as inline SVG. */
export function picture({ hue, shape, name }) {
  const body = SHAPES[shape].replace(/z.*/, 'z'); // what comes after it are lines only
  return html`<svg class="art" viewBox="0 0 120 120" role="img" aria-label="${name}">
    <rect width="120" height="120" fill="hsl(${hue} 46% 88%)"/>
    <circle cx="88" cy="30" r="46" fill="hsl(${hue} 60% 93%)"/>
    <path d="${body}" fill="hsl(${hue} 55% 78%)"/>
    <path d="${SHAPES[shape]}" fill="none" stroke="hsl(${hue} 42% 34%)" stroke-width="2.6" stroke-linejoin="round" stroke-linecap="round"/>
  </svg>`;
}
