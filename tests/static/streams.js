// Node.js 18, which Debian 12 has, knows the browser's streams of compressed bytes but not their plain format.

import { Duplex } from "node:stream";
import { createDeflateRaw, createInflateRaw } from "node:zlib";

try {
  new CompressionStream("deflate-raw");
} catch {
  const by = (make) =>
    class {
      constructor() {
        return Duplex.toWeb(make());
      }
    };
  globalThis.CompressionStream = by(createDeflateRaw);
  globalThis.DecompressionStream = by(createInflateRaw);
}
