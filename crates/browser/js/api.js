// What the host calls: a function, by its name.

const api = {
  ...act, ...read, cancel, expectThat, markdown, snapshot,
  frameElement: (id, target) =>
    withElement(id, target, [], (element) => (["FRAME", "IFRAME"].includes(element.tagName) ? (framed = element, null) : new Refusal("invalid", "the element is no frame"))),
  element: (id, target) => withElement(id, target, [], (element) => ((taken = [element]), null)),
  refer: (id, target) => withElement(id, target, [], referenceOf),
  referAll: (id, target) => ({ value: find(target.selector).map(referenceOf) }),
  elements: (id, target) => ((taken = find(target.selector)), { value: taken.length }),
  focusOf: (id, target) =>
    withElement(id, target, [], (element) => {
      const control = element.tagName === "LABEL" && element.control ? element.control : element;
      if (document.activeElement !== control) control.focus();
      return null;
    }),
  pageContent: () => ({ value: (document.doctype ? new XMLSerializer().serializeToString(document.doctype) : "") + (document.documentElement?.outerHTML ?? "") }),
};
let framed, taken;
const takeElements = () => taken;
/** Characters that may leave the page at a time. */
const MOST = 16 << 20;
function lengthOf(value, left = MOST) {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  let length = 2;
  for (const [key, item] of Object.entries(value)) {
    length += key.length + lengthOf(item, left - length);
    if (length > left) break;
  }
  return length;
}
async function call(name, ...args) {
  const result = await api[name](...args);
  return lengthOf(result) > MOST ? { error: "large", message: "what the page answers is larger than " + MOST + " characters: ask for less", log: [] } : result;
}
return { call, takeFrame: () => framed, takeElements, referenceOf };
