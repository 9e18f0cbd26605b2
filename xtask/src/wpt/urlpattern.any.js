// Patterns, and what they match: the data is that of the crate, which has it from the web platform tests ("urlpatterntestdata.json").
const names = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];
/** What takes its place from a base only while none of these is written. */
const before = {
  protocol: [], hostname: ["protocol"], port: ["protocol", "hostname"], username: [], password: [], pathname: ["protocol", "hostname", "port"],
  search: ["protocol", "hostname", "port", "pathname"], hash: ["protocol", "hostname", "port", "pathname", "search"],
};
function component({ pattern: [init, second], expected_obj: expected, exactly_empty_components: empty = [] }, name) {
  if (expected?.[name] !== undefined) return expected[name];
  if (empty.includes(name)) return "";
  const written = typeof init === "object" ? init : {};
  if (written[name]) return written[name];
  if (before[name].some((earlier) => earlier in written)) return "*";
  const base = written.baseURL ?? (typeof second === "string" ? second : undefined);
  if (base === undefined || name === "username" || name === "password") return "*";
  const value = new URL(base)[name];
  return name === "protocol" ? value.slice(0, -1) : name === "search" || name === "hash" ? value.slice(1) : value;
}
JSON.parse(args.resources["urlpatterntestdata.json"]).forEach((entry, index) => {
  test(() => {
    if (entry.expected_obj === "error") return assert_throws_js(TypeError, () => new URLPattern(...entry.pattern));
    const pattern = new URLPattern(...entry.pattern);
    for (const name of names) assert_equals(pattern[name], component(entry, name), name);
    if (entry.expected_match === "error") {
      assert_throws_js(TypeError, () => pattern.test(...entry.inputs));
      return assert_throws_js(TypeError, () => pattern.exec(...entry.inputs));
    }
    const expected = entry.expected_match;
    assert_equals(pattern.test(...(entry.inputs ?? [])), !!expected);
    const found = pattern.exec(...(entry.inputs ?? []));
    if (!expected) return assert_equals(found, null);
    assert_object_equals(found.inputs, expected.inputs ?? entry.inputs);
    for (const name of names) {
      const groups = { ...(expected[name]?.groups ?? ((entry.exactly_empty_components ?? []).includes(name) ? {} : { 0: "" })) };
      for (const key in groups) groups[key] ??= undefined;
      assert_object_equals(found[name], { input: expected[name]?.input ?? "", groups }, name);
    }
  }, index + ": " + JSON.stringify(entry.pattern) + " " + JSON.stringify(entry.inputs));
});
