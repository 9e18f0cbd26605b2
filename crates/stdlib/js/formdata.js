// Made of js-runtime/src/formdata.ts by `cargo xtask generate`.
// FormData: https://xhr.spec.whatwg.org/#interface-formdata
((ops     , intrinsics            ) => {
  const { apply, asArray, iterator, list, push, TypeError } = intrinsics;
  const { alias, defineInterface, isObject, pairIterators, required, usvString } = ops.library_value("webidl");
  const blobs = ops.library_value("blobs");

  ;
  let setEntries                                            ;
  let entriesOf                             ;
  let isForm                                       ;

  /** https://html.spec.whatwg.org/#create-an-entry */
  function entry(name        , value         , filename         )        {
    if (!blobs.isBlob(value)) return [name, usvString(value)];
    const file = blobs.fileOf(value);
    if (file !== undefined && filename === undefined) return [name, value        ];
    const called = filename === undefined ? "blob" : usvString(filename);
    return [name, blobs.makeFile(blobs.bytesOf(value), blobs.typeOf(value), called, file === undefined ? undefined : file.lastModified)];
  }

  /** A third argument is for blobs only. */
  function given(method        , count        , name        , value         , filename         )        {
    required(2, count, method);
    if (count > 2 && !blobs.isBlob(value)) throw new TypeError("the value of " + method + " with a file name is no Blob");
    return entry(usvString(name), value, count > 2 ? usvString(filename) : undefined);
  }

  class FormData {
    #entries          = list();

    static {
      setEntries = (form, entries) => {
        form.#entries = entries;
      };
      entriesOf = (form) => form.#entries;
      isForm = (value)                    => isObject(value) && #entries in value;
    }

    constructor(form          = undefined) {
      if (form !== undefined) throw new TypeError("there are no forms here: FormData takes no argument");
    }

    append(name        , value         , filename                     = undefined) {
      push(this.#entries, given("FormData.append", arguments.length, name, value, filename));
    }
    delete(name        ) {
      const entries = this.#entries;
      required(1, arguments.length, "FormData.delete");
      const wanted = usvString(name), kept          = list();
      for (let i = 0; i < entries.length; i++) if (entries[i][0] !== wanted) push(kept, entries[i]);
      this.#entries = kept;
    }
    get(name        ) {
      const entries = this.#entries;
      required(1, arguments.length, "FormData.get");
      const wanted = usvString(name);
      for (let i = 0; i < entries.length; i++) if (entries[i][0] === wanted) return entries[i][1];
      return null;
    }
    getAll(name        ) {
      const entries = this.#entries;
      required(1, arguments.length, "FormData.getAll");
      const wanted = usvString(name), found            = list();
      for (let i = 0; i < entries.length; i++) if (entries[i][0] === wanted) push(found, entries[i][1]);
      return asArray(found);
    }
    has(name        ) {
      const entries = this.#entries;
      required(1, arguments.length, "FormData.has");
      const wanted = usvString(name);
      for (let i = 0; i < entries.length; i++) if (entries[i][0] === wanted) return true;
      return false;
    }
    set(name        , value         , filename                     = undefined) {
      const entries = this.#entries, item = given("FormData.set", arguments.length, name, value, filename), kept          = list();
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
    forEach(callback                                                              , thisArg          = undefined) {
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
  const iterators = pairIterators("FormData", (form          ) => entriesOf(form));

  /** A form and the list of its entries, to be filled. */
  function make()                                       {
    const form = new FormData(), entries          = list();
    setEntries(form, entries);
    return { form, entries };
  }

  defineInterface(FormData, "FormData");
  alias(FormData.prototype, "entries", iterator);
  return { FormData, forms: { __proto__: null, entriesOf: entriesOf , isForm: isForm , make } };
})
