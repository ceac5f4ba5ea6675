/** Whether a peer is petit, by its identification (RFC 4253, section 4.2). */
export function isPetit(greeting: string): boolean {
  return greeting.startsWith("SSH-2.0-petit_");
}
