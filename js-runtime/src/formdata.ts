// FormData: https://xhr.spec.whatwg.org/#interface-formdata
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, asArray, iterator, list, push, TypeError } = intrinsics;
  const { alias, defineInterface, isObject, pairIterators, required, usvString } = ops.library_value("webidl");
  const blobs = ops.library_value("blobs");

  type Entry = [string, string | File];
  let setEntries: (form: FormData, entries: Entry[]) => void;
  let entriesOf: (form: FormData) => Entry[];
  let isForm: (value: unknown) => value is FormData;

  /** https://html.spec.whatwg.org/#create-an-entry */
  function entry(name: string, value: unknown, filename: unknown): Entry {
    if (!blobs.isBlob(value)) return [name, usvString(value)];
    const file = blobs.fileOf(value);
    if (file !== undefined && filename === undefined) return [name, value as File];
    const called = filename === undefined ? "blob" : usvString(filename);
    return [name, blobs.makeFile(blobs.bytesOf(value), blobs.typeOf(value), called, file === undefined ? undefined : file.lastModified)];
  }

  /** A third argument is for blobs only. */
  function given(method: string, count: number, name: string, value: unknown, filename: unknown): Entry {
    required(2, count, method);
    if (count > 2 && !blobs.isBlob(value)) throw new TypeError("the value of " + method + " with a file name is no Blob");
    return entry(usvString(name), value, count > 2 ? usvString(filename) : undefined);
  }

  class FormData {
    #entries: Entry[] = list();

    static {
      setEntries = (form, entries) => {
        form.#entries = entries;
      };
      entriesOf = (form) => form.#entries;
      isForm = (value): value is FormData => isObject(value) && #entries in value;
    }

    constructor(form: unknown = undefined) {
      if (form !== undefined) throw new TypeError("there are no forms here: FormData takes no argument");
    }

    append(name: string, value: unknown, filename: string | undefined = undefined) {
      push(this.#entries, given("FormData.append", arguments.length, name, value, filename));
    }
    delete(name: string) {
      const entries = this.#entries;
      required(1, arguments.length, "FormData.delete");
      const wanted = usvString(name), kept: Entry[] = list();
      for (let i = 0; i < entries.length; i++) if (entries[i][0] !== wanted) push(kept, entries[i]);
      this.#entries = kept;
    }
    get(name: string) {
      const entries = this.#entries;
      required(1, arguments.length, "FormData.get");
      const wanted = usvString(name);
      for (let i = 0; i < entries.length; i++) if (entries[i][0] === wanted) return entries[i][1];
      return null;
    }
    getAll(name: string) {
      const entries = this.#entries;
      required(1, arguments.length, "FormData.getAll");
      const wanted = usvString(name), found: unknown[] = list();
      for (let i = 0; i < entries.length; i++) if (entries[i][0] === wanted) push(found, entries[i][1]);
      return asArray(found);
    }
    has(name: string) {
      const entries = this.#entries;
      required(1, arguments.length, "FormData.has");
      const wanted = usvString(name);
      for (let i = 0; i < entries.length; i++) if (entries[i][0] === wanted) return true;
      return false;
    }
    set(name: string, value: unknown, filename: string | undefined = undefined) {
      const entries = this.#entries, item = given("FormData.set", arguments.length, name, value, filename), kept: Entry[] = list();
      let isIn = false;
      for (let i = 0; i < entries.length; i++) {
        if (entries[i][0] !== item[0]) push(kept, entries[i]);
        else if (!isIn) {
          isIn = true;
          push(kept, item);
        }
      }
      if (!isIn) push(kept, item);
      this.#entries = kept;
    }
    forEach(callback: (value: string | File, name: string, form: FormData) => void, thisArg: unknown = undefined) {
      this.#entries;
      required(1, arguments.length, "FormData.forEach");
      if (typeof callback !== "function") throw new TypeError("the argument of FormData.forEach is no function");
      for (let i = 0; i < this.#entries.length; i++) apply(callback, thisArg, [this.#entries[i][1], this.#entries[i][0], this]);
    }
    keys() {
      this.#entries;
      return iterators(this, "keys");
    }
    values() {
      this.#entries;
      return iterators(this, "values");
    }
    entries() {
      this.#entries;
      return iterators(this, "entries");
    }
  }
  const iterators = pairIterators("FormData", (form: FormData) => entriesOf(form));

  /** A form and the list of its entries, to be filled. */
  function make(): { form: FormData; entries: Entry[] } {
    const form = new FormData(), entries: Entry[] = list();
    setEntries(form, entries);
    return { form, entries };
  }

  defineInterface(FormData, "FormData");
  alias(FormData.prototype, "entries", iterator);
  return { FormData, forms: { __proto__: null, entriesOf: entriesOf!, isForm: isForm!, make } };
};
