// structuredClone: https://html.spec.whatwg.org/#structured-cloning

/** A deep copy: of plain objects, arrays, Maps, Sets, Dates, RegExps, errors, buffers, Blobs and Files; everything else is a DataCloneError. */
declare function structuredClone<T>(value: T, options?: { transfer?: ArrayBuffer[] }): T;
