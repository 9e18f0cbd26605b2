// Roles and names. Sources: HTML-AAM (roles of HTML elements), accname 1.2 (names), WAI-ARIA 1.2.

const SECTIONING = "article,aside,main,nav,section,[role=article],[role=complementary],[role=main],[role=navigation],[role=region]";
const isSectioned = (element) => Boolean(element.parentElement?.closest(SECTIONING));
const isNamedByAuthor = (element) => ["aria-label", "aria-labelledby", "title"].some((name) => squeeze(element.getAttribute(name) ?? "") !== "");
const isInTable = (element) => {
  const table = element.closest("table");
  const role = table?.getAttribute("role");
  return !role || ["table", "grid", "treegrid"].includes(role);
};
const cellRole = (element) => (["grid", "treegrid"].includes(element.closest("table")?.getAttribute("role")) ? "gridcell" : "cell");

const INPUT_ROLES = {
  button: "button", checkbox: "checkbox", image: "button", number: "spinbutton", radio: "radio", range: "slider", reset: "button", search: "searchbox", submit: "button",
};
function inputRole(element) {
  if (element.type === "hidden") return "none";
  if (element.list && ["email", "search", "tel", "text", "url"].includes(element.type)) return "combobox";
  // What picks a file is a button to whoever uses it.
  if (element.type === "file") return "button";
  return INPUT_ROLES[element.type] ?? "textbox";
}

const IMPLICIT_ROLES = {
  a: (element) => (element.hasAttribute("href") ? "link" : "generic"), area: (element) => (element.hasAttribute("href") ? "link" : "generic"), article: "article", aside: "complementary",
  blockquote: "blockquote", button: "button", caption: "caption", code: "code", datalist: "listbox", dd: "definition", del: "deletion", details: "group", dfn: "term",
  dialog: "dialog", dt: "term", em: "emphasis", fieldset: "group", figure: "figure", footer: (element) => (isSectioned(element) ? "generic" : "contentinfo"),
  form: (element) => (isNamedByAuthor(element) ? "form" : "generic"), h1: "heading", h2: "heading", h3: "heading", h4: "heading", h5: "heading", h6: "heading",
  header: (element) => (isSectioned(element) ? "generic" : "banner"), hr: "separator", html: "document",
  img: (element) => (element.getAttribute("alt") === "" && !isNamedByAuthor(element) ? "presentation" : "img"), input: inputRole, ins: "insertion",
  li: (element) => (element.parentElement?.closest("ul,ol,menu,[role=list]") ? "listitem" : "generic"), main: "main", mark: "mark", math: "math", menu: "list", meter: "meter", nav: "navigation", ol: "list",
  optgroup: "group", option: "option", output: "status", p: "paragraph", progress: "progressbar", search: "search",
  section: (element) => (isNamedByAuthor(element) ? "region" : "generic"), select: (element) => (element.multiple || element.size > 1 ? "listbox" : "combobox"), strong: "strong", sub: "subscript",
  sup: "superscript", svg: "img", table: "table", tbody: "rowgroup", td: (element) => (isInTable(element) ? cellRole(element) : "generic"), textarea: "textbox", tfoot: "rowgroup",
  th: (element) => (!isInTable(element) ? "generic" : ["row", "rowgroup"].includes(element.getAttribute("scope")) || (!element.getAttribute("scope") && !element.closest("thead") && element.parentElement?.querySelector("td")) ? "rowheader" : "columnheader"),
  thead: "rowgroup", time: "time", tr: (element) => (isInTable(element) ? "row" : "generic"), ul: "list",
};

const ROLES = new Set(
  ("alert alertdialog application article banner blockquote button caption cell checkbox code columnheader combobox complementary contentinfo definition deletion dialog directory document emphasis feed figure form generic grid gridcell group heading " +
    "img insertion link list listbox listitem log main mark marquee math menu menubar menuitem menuitemcheckbox menuitemradio meter navigation none note option paragraph presentation progressbar radio radiogroup region row rowgroup rowheader scrollbar search " +
    "searchbox separator slider spinbutton status strong subscript suggestion superscript switch tab table tablist tabpanel term textbox time timer toolbar tooltip tree treegrid treeitem").split(" "),
);

function roleOf(element) {
  for (const said of (element.getAttribute("role") ?? "").toLowerCase().split(/\s+/)) {
    if (!ROLES.has(said)) continue;
    // What can be focused is never nothing.
    if ((said === "none" || said === "presentation") && (element.tabIndex >= 0 || isNamedByAuthor(element))) break;
    return said === "none" ? "presentation" : said === "directory" ? "list" : said;
  }
  const implicit = IMPLICIT_ROLES[tagOf(element)];
  return (typeof implicit === "function" ? implicit(element) : implicit) ?? "generic";
}

/** Hidden from those who do not see the page. */
function isHiddenForAria(element) {
  for (let node = element; node; node = shownIn(node)) if (node.getAttribute?.("aria-hidden") === "true") return true;
  if (element.tagName === "OPTION" || element.tagName === "OPTGROUP") return isHiddenForAria(element.closest("select") ?? document.documentElement);
  return !element.checkVisibility({ visibilityProperty: true }) && getComputedStyle(element).display !== "contents";
}

const NAMED_BY_CONTENT = new Set(
  "button cell checkbox columnheader gridcell heading link menuitem menuitemcheckbox menuitemradio option radio row rowheader switch tab tooltip treeitem".split(" "),
);
const UNNAMED = new Set("caption code deletion emphasis generic insertion mark paragraph presentation strong subscript superscript".split(" "));

function elementsOfIds(element, attribute) {
  const root = element.getRootNode();
  const ids = (element.getAttribute(attribute) ?? "").split(/\s+/).filter(Boolean);
  return ids.map((id) => root.getElementById?.(id)).filter(Boolean);
}

/** The computed name (accname 1.2, 4.3). */
const nameOf = (element) => (UNNAMED.has(roleOf(element)) && !isNamedByAuthor(element) ? "" : squeeze(namePart(element, { seen: new Set(), isTop: true })));

function namePart(element, { seen, isTop = false, isReferenced = false, isContent = false }) {
  if (seen.has(element)) return "";
  seen.add(element);
  if (!isTop && !isReferenced && isHiddenForAria(element)) return "";
  const ofOthers = (others) => others.map((other) => squeeze(namePart(other, { seen: new Set(seen), isReferenced: true, isContent: true }))).filter(Boolean).join(" ");
  if (!isReferenced) {
    const referenced = elementsOfIds(element, "aria-labelledby");
    // An element may name itself among others.
    if (referenced.length > 0) {
      seen.delete(element);
      const name = referenced.map((other) => squeeze(namePart(other, { seen: new Set(other === element ? [] : seen), isReferenced: true, isContent: true }))).filter(Boolean).join(" ");
      seen.add(element);
      if (name) return name;
    }
  }
  const role = roleOf(element);
  // A control inside of a label is what is in it.
  if (isContent && !isTop) {
    if (role === "textbox" || role === "searchbox") return element.value ?? element.textContent;
    if (role === "combobox" || role === "listbox") {
      if (element.tagName === "SELECT") return [...element.selectedOptions].map((option) => squeeze(option.textContent)).join(" ");
      if (element.tagName === "INPUT") return element.value;
    }
    if (["progressbar", "scrollbar", "slider", "spinbutton"].includes(role)) return element.getAttribute("aria-valuetext") ?? element.getAttribute("aria-valuenow") ?? String(element.value ?? "");
  }
  const label = element.getAttribute("aria-label");
  if (label !== null && squeeze(label)) return label;
  const tag = element.tagName;
  if (role !== "presentation" || isNamedByAuthor(element)) {
    if (tag === "INPUT" && ["button", "reset", "submit"].includes(element.type)) {
      if (element.value) return element.value;
      if (element.type !== "button") return element.type === "submit" ? "Submit" : "Reset";
    }
    if (tag === "INPUT" && element.type === "image" && !element.labels?.length) return element.getAttribute("alt") || element.getAttribute("title") || "Submit";
    if (element.labels?.length) {
      const name = ofOthers([...element.labels]);
      if (name) return name;
    }
    if (tag === "INPUT" && element.type === "file") return "Choose File";
    if (["IMG", "AREA"].includes(tag) || (tag === "INPUT" && element.type === "image")) {
      const alt = element.getAttribute("alt");
      if (alt && squeeze(alt)) return alt;
    }
    const first = (wanted) => [...element.children].find((child) => child.tagName.toLowerCase() === wanted);
    const inner = { FIELDSET: "legend", TABLE: "caption", FIGURE: "figcaption", svg: "title" }[tag];
    const caption = inner && first(inner);
    if (caption) {
      const name = tag === "svg" ? caption.textContent : squeeze(namePart(caption, { seen: new Set(seen), isContent: true }));
      if (name) return name;
    }
  }
  if (isContent || NAMED_BY_CONTENT.has(role)) {
    const name = contentName(element, seen);
    if (squeeze(name)) return name;
  }
  if (tag === "INPUT" || tag === "TEXTAREA") return element.getAttribute("title") || element.getAttribute("placeholder") || "";
  return element.getAttribute("title") ?? "";
}

let generated, generatedFor;
/** Whether a style sheet of the page may write texts of its own. Looked at once a task. */
function hasGenerated() {
  if (generatedFor === undefined) {
    generatedFor = setTimeout(() => (generatedFor = undefined));
    const says = (sheet) => {
      try {
        return [...sheet.cssRules].some((rule) => rule.cssText.includes("content:"));
      } catch {
        return true;
      }
    };
    generated = rootsBelow(document).some((root) => [...root.styleSheets, ...(root.adoptedStyleSheets ?? [])].some(says));
  }
  return generated;
}

const unquoted = (content) => /^"((?:[^"\\]|\\.)*)"/.exec(content)?.[1] ?? "";

function contentName(element, seen) {
  let name = "";
  const add = (node) => {
    if (node.nodeType === Node.TEXT_NODE) name += node.data;
    else if (node.nodeType === Node.ELEMENT_NODE && !SILENT.has(node.tagName)) {
      if (node.tagName === "BR") name += " ";
      else {
        const isInline = ["contents", "inline"].includes(getComputedStyle(node).display);
        const part = namePart(node, { seen, isContent: true });
        name += isInline ? part : " " + part + " ";
      }
    }
  };
  // What has only text in it is read at once.
  if (!hasGenerated() && element.childElementCount === 0 && !element.shadowRoot && element.tagName !== "SLOT") return element.textContent;
  if (hasGenerated()) name += unquoted(getComputedStyle(element, "::before").content);
  const assigned = element.assignedNodes?.() ?? [];
  (assigned.length > 0 ? assigned : (element.shadowRoot ?? element).childNodes).forEach(add);
  return hasGenerated() ? name + unquoted(getComputedStyle(element, "::after").content) : name;
}

/** The computed description (accname 1.2, 4.3.3). */
function descriptionOf(element) {
  const described = elementsOfIds(element, "aria-describedby");
  if (described.length > 0) return squeeze(described.map((other) => namePart(other, { seen: new Set(), isReferenced: true, isContent: true })).join(" "));
  const said = element.getAttribute("aria-description") ?? element.getAttribute("title") ?? "";
  return squeeze(said) === nameOf(element) ? "" : squeeze(said);
}

/** What is said about a value that is wrong (WAI-ARIA 1.2, `aria-errormessage`), if it is one. */
function errorMessageOf(element) {
  const said = element.getAttribute("aria-invalid");
  const isWrong = said === null || said.trim() === "" || said === "false" ? element.validity?.valid === false && element.willValidate : true;
  if (!isWrong) return "";
  return elementsOfIds(element, "aria-errormessage").map((other) => squeeze(textOf(other, new Map()))).filter(Boolean).join(" ");
}

// ---- states that roles have -------------------------------------------------------------------------------------------------------------

function checkedOf(element) {
  if (element.tagName === "INPUT" && ["checkbox", "radio"].includes(element.type)) return element.indeterminate ? "mixed" : element.checked;
  const said = element.getAttribute("aria-checked");
  return said === "mixed" ? "mixed" : said === "true";
}
const CHECKABLE = new Set("checkbox menuitemcheckbox menuitemradio option radio switch treeitem".split(" "));
const flagOf = (element, name) => (element.getAttribute(name) === null ? undefined : element.getAttribute(name) === "true");
const pressedOf = (element) => (element.getAttribute("aria-pressed") === "mixed" ? "mixed" : flagOf(element, "aria-pressed"));
const expandedOf = (element) => (element.tagName === "DETAILS" ? element.open : flagOf(element, "aria-expanded"));
const selectedOf = (element) => (element.tagName === "OPTION" ? element.selected : flagOf(element, "aria-selected"));
const levelOf = (element) => Number(element.getAttribute("aria-level")) || Number(/^H([1-6])$/.exec(element.tagName)?.[1] ?? 0) || undefined;
