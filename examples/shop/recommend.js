// What a visitor looked at, and what they may like: computed from their own session, nobody else's.
import { PRODUCTS, productById } from './catalogue.js';

const MOST_VIEWED = 8;

/** Puts the product at the front of what was viewed recently. */
export function remember(session, product) {
  const others = (session.viewed ?? []).filter(id => id !== product.id);
  session.viewed = [product.id, ...others].slice(0, MOST_VIEWED);
}

export const recentlyViewed = session => (session.viewed ?? []).map(productById).filter(Boolean);

/** Products of the categories that the visitor looked at (the latest count most) or put into the cart, not seen yet. */
export function mayLike(session, count = 4) {
  const viewed = session.viewed ?? [];
  const inCart = (session.cart ?? []).map(line => line.id);
  const interest = new Map();
  const add = (id, weight) => {
    const category = productById(id)?.category;
    if (category) interest.set(category, (interest.get(category) ?? 0) + weight);
  };
  for (const [age, id] of viewed.entries()) add(id, MOST_VIEWED - age);
  for (const id of inCart) add(id, MOST_VIEWED);
  if (interest.size === 0) return [];
  const known = new Set([...viewed, ...inCart]);
  return PRODUCTS.filter(product => !known.has(product.id))
    .map(product => ({ product, score: interest.get(product.category) ?? 0 }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count)
    .map(({ product }) => product);
}
