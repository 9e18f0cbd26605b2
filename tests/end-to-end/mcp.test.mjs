// `perennial mcp` through clients that nobody here wrote: the official SDK of the protocol with the handshake (2025-11-25), and its
// successor, which speaks both eras.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import test from "node:test";

import { Client as NewClient } from "@modelcontextprotocol/client";
import { StdioClientTransport as NewTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const command = process.env.PERENNIAL ?? fileURLToPath(new URL("../../target/debug/perennial", import.meta.url));
const me = { name: "end-to-end", version: "1.0.0" };

const clients = {
  "sdk 1, handshake": async () => {
    const client = new OldClient(me);
    await client.connect(new OldTransport({ command, args: ["mcp", "--structured"] }));
    return { client, call: (params, options) => client.callTool(params, undefined, options) };
  },
  "sdk 2, legacy": () => modern("legacy"),
  "sdk 2, 2026-07-28": () => modern({ pin: "2026-07-28" }),
};

async function modern(mode) {
  const client = new NewClient(me, { versionNegotiation: { mode } });
  await client.connect(new NewTransport({ command, args: ["mcp", "--structured"] }));
  return { client, call: (params, options) => client.callTool(params, options) };
}

for (const [name, connect] of Object.entries(clients)) {
  test(name, async (t) => {
    const { client, call } = await connect();
    const run = (args, options) => call({ name: "run", arguments: args }, options);

    await t.test("lists four tools with schemas", async () => {
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map((tool) => tool.name).sort(), ["close_session", "reset_session", "run", "sessions"]);
      assert.equal(tools.find((tool) => tool.name === "run").outputSchema.type, "object");
    });

    await t.test("a session remembers, by default and by name", async () => {
      await run({ script: "globalThis.n = args.start; return n", args: { start: 41 } });
      const result = await run({ script: "return ++n" });
      assert.equal(result.structuredContent.value, 42);
      assert.equal(result.content[0].text, "42");
      const other = await run({ script: "return typeof n", session: "other" });
      assert.equal(other.structuredContent.value, "undefined");
    });

    await t.test("a failed script is a result with isError, and its place", async () => {
      const result = await run({ script: "const a = 1;\nreturn a.b.c" });
      assert.equal(result.isError, true);
      assert.equal(result.structuredContent.error.kind, "runtime");
      assert.match(result.content[0].text, /TypeError: .*\n {2}at cell \d+:2:8\nreturn a\.b\.c\n/);
    });

    await t.test("a stopped script says what was lost with the next", async () => {
      await run({ script: "globalThis.cart = ['apple']; vars.set('k', 1)", session: "lossy" });
      const stopped = await run({ script: "for (;;) {}", session: "lossy", timeout_ms: 50 });
      assert.equal(stopped.structuredContent.error.kind, "timeout");
      const next = await run({ script: "return vars.get('k')", session: "lossy" });
      assert.match(next.content[0].text, /^1\nnote: the VM was rebuilt .*\(timeout\); lost globals: cart; vars and files are kept$/);
    });

    await t.test("console lines arrive as progress while the script runs", async () => {
      const seen = [];
      const result = await run(
        { script: "for (let i = 0; i < 3; i++) { console.log('step ' + i); await new Promise((r) => setTimeout(r, 20)); } return 'done'" },
        { onprogress: (progress) => seen.push(progress.message) },
      );
      assert.deepEqual(seen, ["step 0", "step 1", "step 2"]);
      assert.equal(result.structuredContent.value, "done");
    });

    await t.test("aborting stops the script", async () => {
      const abort = new AbortController();
      const up = Promise.withResolvers ? Promise.withResolvers() : deferred();
      const options = { signal: abort.signal, onprogress: () => up.resolve() };
      const running = run({ script: "console.log('up'); for (;;) {}", session: "aborted" }, options);
      await up.promise;
      abort.abort();
      await assert.rejects(running);
      // The session's next run does not wait for five minutes.
      const next = await run({ script: "return 1", session: "aborted" });
      assert.equal(next.structuredContent.rebuilt_because, "cancelled");
    });

    await t.test("sessions are listed, reset and closed", async () => {
      const listed = await call({ name: "sessions", arguments: {} });
      const names = listed.structuredContent.sessions.map((session) => session.name);
      assert.ok(names.includes("default") && names.includes("lossy"));
      assert.ok(!(await call({ name: "reset_session", arguments: { session: "lossy" } })).isError);
      const reset = await run({ script: "return vars.get('k')", session: "lossy" });
      assert.equal(reset.structuredContent.value, 1);
      assert.ok(!(await call({ name: "close_session", arguments: { session: "lossy" } })).isError);
      const closed = await run({ script: "return vars.keys()", session: "lossy" });
      assert.deepEqual([closed.structuredContent.value, closed.structuredContent.replaces], [[], "removed"]);
      assert.equal((await call({ name: "close_session", arguments: { session: "never" } })).isError, true);
    });

    await t.test("wrong arguments are for the model, unknown tools for the client", async () => {
      for (const args of [{}, { script: 1 }, { script: "", bogus: 1 }, { script: "", timeout_ms: -1 }, { script: "", session: "" }]) {
        const result = await run(args).catch((error) => ({ rejected: error }));
        assert.ok(result.isError || result.rejected, JSON.stringify(args));
      }
      await assert.rejects(call({ name: "explode", arguments: {} }));
    });

    await t.test("the server ends with its client, with a script under way", async () => {
      const running = run({ script: "for (;;) {}", session: "left behind" }).catch(() => {});
      const pid = client.transport.pid;
      await client.close();
      await running;
      for (let i = 0; pid && i < 300 && alive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.ok(!pid || !alive(pid), "the process is gone");
    });
  });
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function deferred() {
  let resolve;
  const promise = new Promise((r) => { resolve = r; });
  return { promise, resolve };
}
