// What the page uses of lit-html 3.3.3, for tsc.

/** Made by `html`; what `render` shows. */
export interface TemplateResult {
  strings: TemplateStringsArray;
  values: unknown[];
}
export function html(strings: TemplateStringsArray, ...values: unknown[]): TemplateResult;
/** In place of a child: no child. In place of an attribute: no attribute. */
export const nothing: unique symbol;
export function render(value: unknown, root: HTMLElement): void;
