// Tagged templates that escape: html`<b>${name}</b>` is safe whatever the name holds.

class Markup {
  constructor(text) {
    this.text = text;
  }
  toString() {
    return this.text;
  }
}

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function render(value) {
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(render).join('');
  if (value instanceof Markup) return value.text;
  return String(value).replace(/[&<>"']/g, character => ESCAPES[character]);
}

export function html(parts, ...values) {
  return new Markup(parts.reduce((text, part, i) => text + render(values[i - 1]) + part));
}

/** 1250 → € 12.50 */
export const price = cents => `€ ${(cents / 100).toFixed(2)}`;
