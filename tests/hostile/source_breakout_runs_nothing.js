// expect: syntax
}}); globalThis.escaped = true; (async () => { x: {
