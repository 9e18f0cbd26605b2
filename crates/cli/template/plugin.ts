import { definePlugin, defineTool } from "perennial:plugin";

export default definePlugin({
  name: "NAME",
  version: "0.1.0",
  description: "Says hello",
  tools: {
    greet: defineTool({
      description: "Greets somebody by name",
      input: {
        type: "object",
        properties: { name: { type: "string" } },
        required: ["name"],
        additionalProperties: false,
      },
      output: { type: "string" },
      run({ name }) {
        return `Hello, ${name}!`;
      },
    }),
  },
});
