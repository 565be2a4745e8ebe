/** A value that is compared with what the element has, not with what was rendered last: people change inputs. */
export function live(value: unknown): unknown;
