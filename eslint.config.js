import js from "@eslint/js";
import globals from "globals";

export default [
  {
    files: ["serve/static/**/*.js"],
    ...js.configs.recommended,
    languageOptions: { ecmaVersion: 2023, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      ...js.configs.recommended.rules,
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      // A name of the browser's, such as `event` or `name`, is more often a slip than meant.
      "no-restricted-globals": ["error", "event", "name", "status", "length", "parent", "top"],
      "no-shadow": ["error", { builtinGlobals: false }],
      "no-implicit-globals": "error",
    },
  },
];
