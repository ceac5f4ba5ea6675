/**
 * Where callers of a registration go: as the server's template says, or at its reverse port where it tells none.
 *
 * @param template with REGID for the id
 */
export function legacyEndpoint(template: string | undefined, id: string, host: string, port: number): string {
  return template === undefined || template === "" ? `${host}:${port}` : template.replaceAll("REGID", () => id);
}
