/** Whether a user name is meant as the id of a registration. */
export function isId(user: string): boolean {
  return /^\d+$/.test(user);
}

/** For `sort`: in the order in which the ids were given away. */
export function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return Number(one.id) - Number(other.id);
}
