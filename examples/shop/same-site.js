// Forms of other sites are refused: browsers say where a request comes from.

/** Express middleware: 403 for a POST that another site sent. */
export function sameSite(req, res, next) {
  if (req.method === 'GET' || req.method === 'HEAD') return next();
  const site = req.get('Sec-Fetch-Site');
  const origin = req.get('Origin');
  const ours = site ? site === 'same-origin' || site === 'none' : !origin || hostOf(origin) === req.get('Host');
  if (ours) return next();
  res.status(403).type('text').send('This form came from another site, so nothing was done.\n');
}

function hostOf(origin) {
  try {
    return new URL(origin).host;
  } catch {
    return null;
  }
}
