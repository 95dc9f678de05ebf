import { Router } from 'express';
import { requireLogin, returnTo } from 'madeleine/express';
import { html } from '../html.js';
import { field, page } from '../layout.js';

/** Authorization: may this user do it? `requireUser()` asks the same, and answers with a bare 403; this shop has a page for it. */
function requireAdmin(req, res, next) {
  if (res.locals.user.role === 'admin') return next();
  res.status(403);
  page(
    req,
    res,
    'Not for you',
    html`<section class="hero"><h1>This page is for the staff.</h1><p>You are logged in, but not as an administrator.</p></section>`,
    'requireLogin() let you pass: it asks who you are. What you may do is the next question.',
  );
}

const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,180}$/;

/** Log in, register, log out. */
export function loginRoutes(users) {
  const router = Router();
  const text = value => (typeof value === 'string' ? value : '');

  const loginPage = (req, res, form = {}, errors = {}) => {
    const wanted = form.returnTo ?? req.query.returnTo;
    page(
      req,
      res,
      'Log in',
      html`<form class="sheet" method="post" action="/login"><h1>Welcome back</h1>
        ${wanted && !errors.form && html`<p class="flash info" role="status">Please log in first.${req.session.about.isNew && ' (If you just have: your browser keeps no cookie for this shop.)'}</p>`}
        ${errors.form && html`<p class="flash error" role="alert">${errors.form}</p>`}
        ${field('E-mail', 'email', 'email', form, errors, 'username')} ${field('Password', 'password', 'password', form, errors, 'current-password')}
        <label class="check"><input type="checkbox" name="remember" value="on" ${form.remember ? 'checked' : ''}> Remember me on this device</label>
        <input type="hidden" name="returnTo" value="${returnTo(wanted, '/account')}"><button>Log in</button>
        <p class="muted">New here? <a href="/register">Make an account.</a></p></form>`,
      'req.session.login() will give your session a fresh id, and keep the cart. “Remember me” makes its cookie outlive the browser.',
    );
  };

  router.get('/login', (req, res) => loginPage(req, res));
  router.post('/login', async (req, res) => {
    const user = await users.check(text(req.body?.email).trim(), text(req.body?.password));
    if (!user) {
      res.status(422);
      return loginPage(req, res, req.body, { form: 'E-mail or password is not right.' });
    }
    const { theme } = req.session;
    // Keeps what a visitor put in; what belonged to another user goes, but for the look.
    await req.session.login(user.id, { remember: req.body.remember === 'on' });
    if (theme) req.session.theme = theme;
    req.flash('info', `Good to see you, ${user.name}.`);
    res.redirect(303, returnTo(req.body.returnTo, '/account'));
  });

  const registerPage = (req, res, form = {}, errors = {}) =>
    page(
      req,
      res,
      'Make an account',
      html`<form class="sheet" method="post" action="/register"><h1>Make an account</h1>
        ${field('Name', 'name', 'text', form, errors, 'name')} ${field('E-mail', 'email', 'email', form, errors, 'username')}
        ${field('Password', 'password', 'password', form, errors, 'new-password')}<button>Make the account</button>
        <p class="muted">Been here before? <a href="/login">Log in.</a></p></form>`,
      'A new account is logged in at once, by req.session.login().',
    );

  router.get('/register', (req, res) => registerPage(req, res));
  router.post('/register', async (req, res) => {
    const form = {
      name: text(req.body?.name).trim(),
      email: text(req.body?.email).trim(),
      password: text(req.body?.password),
    };
    const errors = {};
    if (form.name.length < 1 || form.name.length > 60)
      errors.name = 'Please tell us your name, in up to 60 characters.';
    if (!EMAIL.test(form.email)) errors.email = 'This is not an e-mail address.';
    if (form.password.length < 8 || form.password.length > 256)
      errors.password = 'Please choose at least 8 characters.';
    const right = Object.keys(errors).length === 0;
    // A double click sends it twice: the account is there the second time, and its password is right.
    const user = right && ((await users.register(form)) ?? (await users.check(form.email, form.password)));
    if (!user) {
      if (right) errors.email = 'This address has an account already.';
      res.status(422);
      return registerPage(req, res, form, errors);
    }
    await req.session.login(user.id);
    req.flash('info', `Welcome, ${user.name}.`);
    res.redirect(303, '/account');
  });

  router.post('/logout', async (req, res) => {
    const { theme } = req.session;
    await req.session.logout();
    // The session is over; its look may stay.
    if (theme) req.session.theme = theme;
    req.flash('info', 'You are logged out.');
    res.redirect(303, '/');
  });

  return router;
}

/** The account, the devices, the administration. */
export function accountRoutes(users, sessions) {
  const router = Router();

  router.get('/account', requireLogin(), (req, res) => {
    const { user } = res.locals;
    const { authenticatedAt, expiresAt } = req.session.about;
    page(
      req,
      res,
      'Your account',
      html`<h1>Hello, ${user.name}</h1><dl class="facts"><dt>E-mail</dt><dd>${user.email}</dd>
        <dt>Logged in since</dt><dd>${authenticatedAt.toUTCString()}</dd><dt>Until</dt><dd>${expiresAt.toUTCString()}, if you do not come back</dd></dl>
        <p class="row"><a class="button" href="/account/devices">Your devices</a></p>
        <form method="post" action="/logout"><button class="quiet">Log out</button></form>`,
      'requireLogin() let you pass. The page is sent with no-store, so that the back button does not show it after the logout.',
    );
  });

  router.get('/account/devices', requireLogin(), async (req, res) => {
    const devices = await sessions.list(res.locals.user.id);
    const { handle } = req.session.about;
    page(
      req,
      res,
      'Your devices',
      html`<h1>Your devices</h1><ul class="lines">${devices.map(
        device => html`<li><div class="grow"><strong>${device.device?.userAgent ?? 'An unknown device'}</strong>
          <span class="muted">${device.device?.address ?? ''} · last seen ${device.lastSeenAt.toUTCString()}${device.remember && ' · remembered'}</span></div>
          ${
            device.handle === handle
              ? html`<span class="count">this one</span>`
              : html`<form method="post" action="/account/devices"><button class="quiet" name="handle" value="${device.handle}">Log out</button></form>`
          }</li>`,
      )}</ul>
      ${devices.length > 1 && html`<form method="post" action="/account/devices"><button name="others" value="yes">Log out everywhere else</button></form>`}`,
      'sessions.list() finds your sessions in the store; sessions.revoke() ends one, and its cookie opens nothing any more.',
    );
  });

  router.post('/account/devices', requireLogin(), async (req, res) => {
    const { id } = res.locals.user;
    if (req.body?.others) {
      const ended = await sessions.revokeAll(id, { except: req.session.about.handle });
      req.flash('info', ended === 1 ? 'One other device was logged out.' : `${ended} other devices were logged out.`);
    } else {
      // A handle from a form counts only if it is one of the user's own.
      const own = (await sessions.list(id)).some(device => device.handle === req.body?.handle);
      if (own && (await sessions.revoke(req.body.handle))) req.flash('info', 'The device was logged out.');
    }
    res.redirect(303, '/account/devices');
  });

  router.get('/admin', requireLogin(), requireAdmin, (req, res) => {
    page(
      req,
      res,
      'Administration',
      html`<h1>Administration</h1><ul class="lines">${users
        .all()
        .map(
          user =>
            html`<li><div class="grow"><strong>${user.name}</strong><span class="muted">${user.email}</span></div><span class="count">${user.role}</span></li>`,
        )}</ul>`,
      'requireLogin() asked who you are, requireAdmin() what you may do.',
    );
  });

  return router;
}
