/** Why a request is not answered by its service. */
export interface Refusal {
  readonly status: number;
  /** Stable, for programs. */
  readonly code: string;
  /** One sentence that says whose problem it is. */
  readonly message: string;
  /** Seconds. */
  readonly retryAfter?: number;
  /** Values of WWW-Authenticate. */
  readonly challenges?: readonly string[];
}

const REASONS: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  413: "Content Too Large",
  417: "Expectation Failed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/**
 * The answer that carries a refusal. `"g2c":"unavailable"` is what 0.6.x callers look for. `request` is its id, by which the
 * operator finds it in the log.
 */
export function refusalBytes(
  refusal: Refusal,
  options: { close: boolean; withoutBody: boolean; request?: string },
): Buffer {
  const { status, code, message, retryAfter, challenges = [] } = refusal;
  const { request } = options;
  const body = `${JSON.stringify({ g2c: "unavailable", code, message, request })}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    `Date: ${new Date().toUTCString()}`,
    "Content-Type: application/json",
    "X-Content-Type-Options: nosniff",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: no-store",
    ...(request === undefined ? [] : [`X-Request-Id: ${request}`]),
    ...challenges.map((challenge) => `WWW-Authenticate: ${challenge}`),
    ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
    ...(options.close ? ["Connection: close"] : []),
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${options.withoutBody ? "" : body}`, "utf8");
}
