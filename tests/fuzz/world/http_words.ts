/** Pieces of heads that matter to whoever reads them. */
export const HTTP_WORDS = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  "\t",
  " ",
  ":",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
] as const;
