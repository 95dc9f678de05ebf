import { picture } from './catalogue.js';
import { html, price } from './html.js';

/** A whole page. `res.locals` has the user, the theme and how many things are in the cart. */
export function page(req, res, title, body) {
  const { user, theme, cartCount } = res.locals;
  const messages = Object.entries(req.flash());
  res.send(
    html`<!doctype html>
<html lang="en" data-theme="${theme}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title} · Temps retrouvé</title>
  <link rel="icon" href="/icon.svg">
  <link rel="stylesheet" href="/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top">
  <a class="brand" href="/">Temps <em>retrouvé</em></a>
  <nav aria-label="Main">
    ${user ? html`<a href="/account">${user.name}</a>` : html`<a href="/login">Log in</a>`}
    ${user?.role === 'admin' && html`<a href="/admin">Admin</a>`}
    <a href="/cart">Cart${cartCount > 0 && html` <span class="count">${cartCount}</span>`}</a>
    <form method="post" action="/theme"><input type="hidden" name="back" value="${req.method === 'GET' ? req.originalUrl : '/'}">
      <button class="quiet" name="theme" value="${theme === 'dark' ? 'light' : 'dark'}">${theme === 'dark' ? '☀ Light' : '☾ Dark'}</button></form>
  </nav>
</header>
${messages.flatMap(([type, texts]) => [...new Set(texts)].map(text => html`<p class="flash ${type}" role="${type === 'error' ? 'alert' : 'status'}">${text}</p>`))}
<main id="main">${body}</main>
<footer><p>Temps retrouvé is a demo of <strong>madeleine</strong>: cookies and sessions that remember. Nothing here is for sale.</p></footer>
</body>
</html>`.toString(),
  );
}

/** A card for each product. */
export function cards(products) {
  return html`<ul class="cards">${products.map(
    product => html`<li><a class="card" href="/product/${product.id}">${picture(product)}
      <span class="name">${product.name}</span><span class="muted">${price(product.cents)}</span></a></li>`,
  )}</ul>`;
}

/** One field of a form: what was typed stays, and what is wrong stands beside it. `autocomplete` tells password managers what it is. */
export function field(label, name, type, form, errors, autocomplete) {
  const value = type === 'password' ? '' : (form[name] ?? '');
  return html`<label>${label}
    <input name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}" ${errors[name] ? html`aria-invalid="true" aria-describedby="${name}-error"` : ''}>
    ${errors[name] && html`<span class="error" id="${name}-error">${errors[name]}</span>`}</label>`;
}
