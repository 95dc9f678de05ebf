import { Router } from 'express';
import { returnTo } from 'madeleine/express';
import { CATEGORIES, PRODUCTS, picture, productById } from '../catalogue.js';
import { html, price } from '../html.js';
import { cards, page } from '../layout.js';
import { mayLike, recentlyViewed, remember } from '../recommend.js';

/** The front page, the products, and the theme. */
export function shopRoutes() {
  const router = Router();

  router.get('/', (req, res) => {
    const viewed = recentlyViewed(req.session);
    const liked = mayLike(req.session);
    page(
      req,
      res,
      'Madeleines, tea and paper',
      html`<section class="hero"><h1>One taste, and it all comes back.</h1>
        <p>Madeleines from a small oven, teas to dip them in, and paper for what you will remember.</p></section>
      ${liked.length > 0 && html`<section><h2>You may also like</h2>${cards(liked)}</section>`}
      ${viewed.length > 0 && html`<section><h2>Recently viewed</h2>${cards(viewed.slice(0, 4))}</section>`}
      ${CATEGORIES.map(
        category =>
          html`<section><h2>${category}</h2>${cards(PRODUCTS.filter(product => product.category === category))}</section>`,
      )}`,
      'It only reads. Who stores nothing gets no session and no cookie: look at a product, and one begins.',
    );
  });

  router.get('/product/:id', (req, res, next) => {
    const product = productById(req.params.id);
    if (!product) return next();
    remember(req.session, product);
    const liked = mayLike(req.session);
    const viewed = recentlyViewed(req.session).slice(1, 5);
    page(
      req,
      res,
      product.name,
      html`<article class="product">${picture(product)}
        <div><p class="muted">${product.category}</p><h1>${product.name}</h1><p class="lead">${product.text}</p>
          <p class="price">${price(product.cents)}</p>
          <form method="post" action="/cart"><input type="hidden" name="id" value="${product.id}">
            <label class="inline">Quantity <input name="quantity" type="number" value="1" min="1" max="99"></label>
            <button>Put into the cart</button></form></div></article>
      ${liked.length > 0 && html`<section><h2>You may also like</h2>${cards(liked)}</section>`}
      ${viewed.length > 0 && html`<section><h2>Recently viewed</h2>${cards(viewed)}</section>`}`,
      'It put the product into req.session.viewed, and was sent after that was saved.',
    );
  });

  router.post('/theme', (req, res) => {
    req.session.theme = req.body?.theme === 'dark' ? 'dark' : 'light';
    res.redirect(303, returnTo(req.body?.back));
  });

  return router;
}
