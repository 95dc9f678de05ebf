import { Router } from 'express';
import { picture, productById } from '../catalogue.js';
import { html, price } from '../html.js';
import { cards, page } from '../layout.js';
import { mayLike } from '../recommend.js';

const MOST = 99;

function quantityIn(form, least) {
  const text = form?.quantity ?? '1';
  // Number() would take an empty field for 0.
  if (!/^\d{1,3}$/.test(text)) return null;
  const quantity = Number(text);
  return quantity >= least && quantity <= MOST ? quantity : null;
}

/**
 * The cart is plain data in the session: a list of { id, quantity }. Two tabs may add to it at once, also where several
 * processes serve them: a quantity that depends on the one before is changed in `update()`.
 */
export function cartRoutes() {
  const router = Router();

  router.get('/cart', (req, res) => {
    const lines = (req.session.cart ?? [])
      .map(line => ({ ...line, product: productById(line.id) }))
      .filter(line => line.product);
    const total = lines.reduce((sum, line) => sum + line.product.cents * line.quantity, 0);
    const liked = mayLike(req.session);
    page(
      req,
      res,
      'Your cart',
      html`<h1>Your cart</h1>
      ${
        lines.length === 0
          ? html`<p class="empty">Nothing in it yet. <a href="/">Have a look around.</a></p>`
          : html`<ul class="lines">${lines.map(
              ({
                product,
                quantity,
              }) => html`<li>${picture(product)}<div class="grow"><a href="/product/${product.id}">${product.name}</a>
                <span class="muted">${price(product.cents)} each</span></div>
                <form method="post" action="/cart/${product.id}"><label class="inline">Quantity <input name="quantity" type="number" aria-label="Quantity of ${product.name}" min="0" max="${MOST}" value="${quantity}"></label>
                  <button class="quiet" aria-label="Update ${product.name}">Update</button><button class="quiet" name="remove" value="yes" aria-label="Remove ${product.name}">Remove</button></form>
                <strong>${price(product.cents * quantity)}</strong></li>`,
            )}</ul>
            <p class="total">Total <strong>${price(total)}</strong></p>
            <form method="post" action="/checkout"><button>Check out</button></form>`
      }
      ${liked.length > 0 && html`<section><h2>You may also like</h2>${cards(liked)}</section>`}`,
      'The cart is a list in req.session.cart. Add things in several tabs at once: req.session.update() loses none.',
    );
  });

  router.post('/cart', async (req, res, next) => {
    const product = productById(req.body?.id);
    if (!product) return next();
    const quantity = quantityIn(req.body, 1);
    if (quantity === null) {
      req.flash('error', `Please choose a quantity from 1 to ${MOST}.`);
      return res.redirect(303, `/product/${product.id}`);
    }
    await req.session.update(data => {
      data.cart ??= [];
      const line = data.cart.find(one => one.id === product.id);
      if (line) line.quantity = Math.min(MOST, line.quantity + quantity);
      else data.cart.push({ id: product.id, quantity });
    });
    req.flash('info', `${product.name} is in your cart.`);
    res.redirect(303, '/cart');
  });

  router.post('/cart/:id', (req, res) => {
    const { cart = [] } = req.session;
    const line = cart.find(one => one.id === req.params.id);
    // Gone already, in another tab.
    if (!line) return res.redirect(303, '/cart');
    const quantity = req.body?.remove ? 0 : quantityIn(req.body, 0);
    if (quantity === null) req.flash('error', `Please choose a quantity from 0 to ${MOST}.`);
    else if (quantity === 0) cart.splice(cart.indexOf(line), 1);
    else line.quantity = quantity;
    res.redirect(303, '/cart');
  });

  router.post('/checkout', async (req, res) => {
    // Of two orders at once, a double click say, one finds a cart.
    const ordered = await req.session.update(data => {
      const { cart } = data;
      delete data.cart;
      return cart?.length > 0;
    });
    res.redirect(303, ordered ? '/thanks' : '/cart');
  });

  router.get('/thanks', (req, res) => {
    page(
      req,
      res,
      'Thank you',
      html`<section class="hero"><h1>Thank you.</h1><p>If this were a shop, your parcel would be on its way.</p><p><a class="button" href="/">Back to the shop</a></p></section>`,
      'The order took req.session.cart out of the session, in update(): of two orders at once, one finds a cart.',
    );
  });

  return router;
}
