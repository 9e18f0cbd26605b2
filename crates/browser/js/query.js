// Selectors: a list of parts, each of which goes on from what the parts before it have found.

const references = new Map();
const referenceIds = new WeakMap();
let lastReference = 0;
const isGone = (reference) => references.get(reference)?.deref()?.isConnected !== true;

function referenceOf(element) {
  let id = referenceIds.get(element);
  if (id === undefined) {
    id = "e" + ++lastReference;
    referenceIds.set(element, id);
    references.set(id, new WeakRef(element));
  }
  return id;
}

/** A selector's compounds from the last to the first, with what stands before each. */
function compoundsOf(css) {
  const compounds = [];
  let text = "", combinator = "";
  for (let at = 0; at < css.length; at++) {
    const c = css[at];
    if (c === "\\") text += c + css[++at];
    else if (c === "(" || c === "[" || c === '"' || c === "'") {
      const from = at;
      at = endOf(css, at);
      text += css.slice(from, at + 1);
    } else if (/[\s>+~]/.test(c)) {
      let said = c;
      while (/[\s>+~]/.test(css[at + 1] ?? "")) said += css[++at];
      if (text) compounds.unshift({ text, combinator });
      combinator = said.trim() || " ";
      text = "";
    } else text += c;
  }
  compounds.unshift({ text, combinator });
  return compounds;
}

/** The end of a string, or of what is in brackets. */
function endOf(text, at) {
  const open = text[at];
  if (open === '"' || open === "'") {
    for (at++; at < text.length && text[at] !== open; at++) if (text[at] === "\\") at++;
    return at;
  }
  const close = open === "(" ? ")" : "]";
  for (at++; at < text.length && text[at] !== close; at++) {
    if (text[at] === "\\") at++;
    else if (["(", "[", '"', "'"].includes(text[at])) at = endOf(text, at);
  }
  return at;
}

/** Whether an element matches from this compound on, through shadow roots. */
function matchesFrom(element, compounds, at, scope) {
  const { text, combinator } = compounds[at];
  if (text === ":scope" ? element !== scope : !element.matches(text)) return false;
  if (at === compounds.length - 1) return true;
  const next = (other) => other && matchesFrom(other, compounds, at + 1, scope);
  if (combinator === ">") return next(parentOf(element));
  if (combinator === "+") return next(element.previousElementSibling);
  if (combinator === "~") {
    for (let other = element.previousElementSibling; other; other = other.previousElementSibling) if (next(other)) return true;
    return false;
  }
  for (let other = parentOf(element); other; other = parentOf(other)) if (next(other)) return true;
  return false;
}

function splitCommas(css) {
  const pieces = [];
  let from = 0;
  for (let at = 0; at < css.length; at++) {
    if (css[at] === "\\") at++;
    else if (["(", "[", '"', "'"].includes(css[at])) at = endOf(css, at);
    else if (css[at] === ",") {
      pieces.push(css.slice(from, at).trim());
      from = at + 1;
    }
  }
  pieces.push(css.slice(from).trim());
  return pieces;
}

function cssBelow(root, css) {
  const roots = rootsBelow(root);
  // Within one tree the browser is faster, and throws at what is no selector.
  if (roots.length === 1 || !/[\s>+~]/.test(css.trim())) return roots.flatMap((each) => [...each.querySelectorAll(css)]);
  root.querySelectorAll(css);
  const alternatives = splitCommas(css).map(compoundsOf), found = [];
  for (const element of elementsBelow(root)) if (alternatives.some((compounds) => matchesFrom(element, compounds, 0, root))) found.push(element);
  return found;
}

const FINDERS = {
  css: (root, { css }) => cssBelow(root, css),
  attribute: (root, { name, ...text }) => {
    const matches = textMatcher(text);
    return cssBelow(root, "[" + CSS.escape(name) + "]").filter((element) => (text.exact ? element.getAttribute(name) === text.text : matches(element.getAttribute(name))));
  },
  text: (root, text) => {
    const matches = textMatcher(text), known = new Map(), found = [];
    for (const element of elementsBelow(root)) {
      if (SILENT.has(element.tagName) || element.tagName === "HEAD" || element.closest("head")) continue;
      if (!matches(textOf(element, known))) continue;
      // The innermost that has all of it.
      const below = [...element.children, ...(element.shadowRoot?.children ?? [])];
      if (!below.some((child) => !SILENT.has(child.tagName) && matches(textOf(child, known)))) found.push(element);
    }
    return found;
  },
  label: (root, text) => {
    const matches = textMatcher(text), found = [];
    for (const element of elementsBelow(root)) {
      const labels = elementsOfIds(element, "aria-labelledby").map((label) => label.textContent);
      const said = element.getAttribute("aria-label");
      if (said) labels.push(said);
      element.labels?.forEach((label) => labels.push(label.textContent));
      if (labels.some(matches)) found.push(element);
    }
    return found;
  },
  role: (root, wanted) => {
    const matches = wanted.name === undefined ? undefined : textMatcher(wanted.name), found = [];
    const differs = (name, value) => wanted[name] !== undefined && value !== wanted[name];
    for (const element of elementsBelow(root)) {
      if (roleOf(element) !== wanted.role) continue;
      if (differs("checked", checkedOf(element)) || differs("disabled", isDisabled(element)) || differs("level", levelOf(element))) continue;
      if (differs("pressed", pressedOf(element) ?? false) || differs("expanded", expandedOf(element)) || differs("selected", selectedOf(element) ?? false)) continue;
      if (matches && !matches(nameOf(element))) continue;
      if (!wanted.includeHidden && isHiddenForAria(element)) continue;
      found.push(element);
    }
    return found;
  },
  xpath: (root, { xpath }) => {
    const result = document.evaluate(xpath, root, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null), found = [];
    for (let i = 0; i < result.snapshotLength; i++) if (result.snapshotItem(i).nodeType === Node.ELEMENT_NODE) found.push(result.snapshotItem(i));
    return found;
  },
  reference: (_, { reference }) => (isGone(reference) ? [] : [references.get(reference).deref()]),
};

const byPosition = (a, b) => {
  if (a === b) return 0;
  const relation = a.compareDocumentPosition(b);
  return relation & Node.DOCUMENT_POSITION_FOLLOWING || relation & Node.DOCUMENT_POSITION_CONTAINED_BY ? -1 : 1;
};

/** All that a selector finds, from a list of roots. */
function find(parts, from = [document]) {
  let found = from;
  for (const part of parts) {
    switch (part.by) {
      case "nth": {
        const at = part.index < 0 ? found.length + part.index : part.index;
        found = found[at] ? [found[at]] : [];
        break;
      }
      case "visible":
        found = found.filter((element) => isVisible(element) === part.visible);
        break;
      case "hasText":
      case "hasNotText": {
        const matches = textMatcher(part), known = new Map();
        found = found.filter((element) => matches(textOf(element, known)) === (part.by === "hasText"));
        break;
      }
      case "has":
      case "hasNot":
        found = found.filter((element) => find(part.selector, [element]).length > 0 === (part.by === "has"));
        break;
      case "and": {
        const others = new Set(find(part.selector));
        found = found.filter((element) => others.has(element));
        break;
      }
      case "or":
        found = [...new Set([...found, ...find(part.selector)])].sort(byPosition);
        break;
      default: {
        const finder = FINDERS[part.by], next = new Set();
        for (const root of found) for (const element of finder(root, part)) next.add(element);
        found = [...next];
      }
    }
  }
  return found[0] === document ? [document.documentElement] : found;
}

/** What a person may have meant by a selector that finds nothing. */
function hints(parts) {
  const last = parts.findLast((part) => FINDERS[part.by]);
  if (!last) return [];
  const said = [];
  if (last.by === "role") {
    const hidden = find([...parts.slice(0, parts.indexOf(last)), { ...last, includeHidden: true }]);
    if (hidden.length > 0) said.push(hidden.length + " with this role and name " + (hidden.length === 1 ? "is" : "are") + " hidden");
    const names = new Set();
    for (const element of elementsBelow(document)) {
      if (names.size >= 5) break;
      if (roleOf(element) === last.role && !isHiddenForAria(element)) names.add(nameOf(element).slice(0, 60));
    }
    const list = [...names].filter(Boolean).map((name) => JSON.stringify(name));
    if (list.length > 0) said.push("names of this role here: " + list.join(", "));
    else if (hidden.length === 0) said.push("the page has no " + last.role);
  }
  if (document.querySelector("iframe,frame")) said.push("the page has frames, whose insides are reached by frameLocator");
  return said;
}
