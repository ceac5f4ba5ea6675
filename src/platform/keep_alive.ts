/**
 * Milliseconds of silence after which the operating system asks the peer of a connection for a sign of life (RFC 9293, section 3.8.4): one
 * that went without a word would keep its connection for ever.
 */
export const KEEP_ALIVE = 60_000;
