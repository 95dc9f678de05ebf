import { picture } from './catalogue.js';
import { html, price } from './html.js';

/**
 * A whole page. `res.locals.user` is who is logged in.
 * @param note what the page has to do with the session
 */
export function page(req, res, title, body, note) {
  const { user } = res.locals;
  const { cart = [], theme } = req.session;
  const cartCount = cart.reduce((sum, line) => sum + line.quantity, 0);
  const messages = Object.entries(req.flash());
  res.send(
    html`<!doctype html>
<html lang="en" ${theme && html`data-theme="${theme}"`}>
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
    <a href="#behind">Session</a>
    <form method="post" action="/theme"><input type="hidden" name="back" value="${req.method === 'GET' ? req.originalUrl : '/'}">
      <button class="quiet to-dark" name="theme" value="dark">☾ Dark</button><button class="quiet to-light" name="theme" value="light">☀ Light</button></form>
  </nav>
</header>
${messages.flatMap(([type, texts]) => [...new Set(texts)].map(text => html`<p class="flash ${type}" role="${type === 'error' ? 'alert' : 'status'}">${text}</p>`))}
<main id="main">${body}</main>
<footer>${behind(req.session, note)}<p>Temps retrouvé is a demo of <strong>madeleine</strong>: cookies and sessions that remember. Nothing here is for sale.</p></footer>
</body>
</html>`.toString(),
  );
}

/** For whoever reads this demo: what cookie and session have to do with the page. */
function behind(session, note) {
  const { isNew, userId, expiresAt } = session.about;
  const empty = Object.keys(session).length === 0;
  const cookie = isNew
    ? 'Your browser sent no session cookie that counts.'
    : html`Your browser sent the cookie <code>${session.cookie.name}</code>. Scripts cannot read it (HttpOnly), other sites cannot send it with a form (SameSite=Lax).`;
  const state = isNew
    ? `There was no session${empty ? ', and there is none: nothing was stored.' : '. This page begins one, and sets the cookie.'}`
    : html`${userId === null ? 'An anonymous one' : 'One that is logged in'}, until ${expiresAt.toUTCString()} if you do not come back.`;
  return html`<section id="behind"><h2>Behind this page</h2><dl class="facts">${note && html`<dt>This page</dt><dd>${note}</dd>`}
    <dt>Cookie</dt><dd>${cookie}</dd><dt>Session</dt><dd>${state}</dd>
    <dt>In it</dt><dd><code>${JSON.stringify(session)}</code></dd></dl></section>`;
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
