// A plugin that counts: what `ctx.counter` is, examples/own_provision.rs says.
import { definePlugin, defineTool } from "perennial:plugin";

export default definePlugin({
  name: "tally",
  version: "1.0.0",
  description: "counts for the session that calls it",
  allow: { counter: 10 },
  tools: {
    count: defineTool({
      description: "adds to the session's counter and says what it is then",
      input: { type: "object", properties: { by: { type: "integer", minimum: 1 } }, required: ["by"] },
      output: { type: "integer" },
      run: ({ by }, ctx) => ctx.counter.add(by),
    }),
  },
});
