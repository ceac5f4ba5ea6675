/** A message that breaks RFC 9110 or RFC 9112; `status` is what a caller who sent it is told. */
export class MessageError extends Error {
  override name = "MessageError";
  readonly status: number;
  readonly code: string;

  constructor(message: string, code = "request-invalid", status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
