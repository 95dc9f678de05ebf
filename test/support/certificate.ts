/**
 * A certificate that says nothing of anybody, for servers of tests on 127.0.0.1: whoever asks them must not verify it. It is no secret.
 * (A shared key would do without one on Node; Bun and Deno have no ciphers for it.)
 */
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyHdqsAGBPJSp4y85
eiB9RUKRWLgN8xbvHbauLsxX9sahRANCAAS33axG/7RjPoNErkSdHK6sbrQM+KZ6
SQZruMbKo9rRxOjkdQLmiK8gQgasdMpt5S6lZNgF2XeHZm2UtBHJ4rr5
-----END PRIVATE KEY-----
`;

export const cert = `-----BEGIN CERTIFICATE-----
MIIBjzCCATagAwIBAgIUS+0DyuEIwfebf0c5TJ3C2NOrRA8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyNTE0MDAwOFoYDzIxMjYxMTAx
MTQwMDA4WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS33axG/7RjPoNErkSdHK6sbrQM+KZ6SQZruMbKo9rRxOjkdQLmiK8g
QgasdMpt5S6lZNgF2XeHZm2UtBHJ4rr5o2QwYjAdBgNVHQ4EFgQU3O0gCut3zBc+
dlwRvfjeYlfOpZMwHwYDVR0jBBgwFoAU3O0gCut3zBc+dlwRvfjeYlfOpZMwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0cAMEQC
IEqZ1KmOaUhgsFGBtz8q9TXbawG44E1bnZ4/L97bMh3xAiBXveelOTNbLc5AelUK
7A2LPNQrRViytBpQQinSGyL/dw==
-----END CERTIFICATE-----
`;
