import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  eqeqeq: "error",
  "no-var": "error",
  "prefer-const": "error",
  // A name of the browser's, such as `event` or `name`, is more often a slip than meant.
  "no-restricted-globals": ["error", "event", "name", "status", "length", "parent", "top"],
  "no-shadow": "error",
};
const linterOptions = { reportUnusedDisableDirectives: "error" };

export default [
  { ignores: [".venv", "runs", "serve/static/vendor"] },
  { files: ["serve/static/**/*.js"], languageOptions: { globals: globals.browser }, linterOptions, rules },
  { files: ["tests/static/*.js", "*.js"], languageOptions: { globals: globals.node }, linterOptions, rules },
];
