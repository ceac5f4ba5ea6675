/** The brand of whoever tells none, as in 0.6.x: "[client.vitae] brand" begins with it. */
export const DEFAULT_BRAND = "ce";
