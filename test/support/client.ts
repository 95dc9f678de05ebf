/** The client of `madeleine/testing`, by the names that these tests use. */
export {
  readSetCookie,
  sendRequest as request,
  type TestAnswer as Answer,
  TestClient as Client,
} from 'madeleine/testing';
