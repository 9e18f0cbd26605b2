// What the host calls: a function, by its name.

const api = {
  ...act, ...read, cancel, expectThat, snapshot,
  frameElement: (id, target) =>
    withElement(id, target, [], (element) => (["FRAME", "IFRAME"].includes(element.tagName) ? (framed = element, null) : new Refusal("invalid", "the element is no frame"))),
  element: (id, target) => withElement(id, target, [], (element) => ((taken = [element]), null)),
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
return { call: (name, ...args) => api[name](...args), takeFrame: () => framed, takeElements };
