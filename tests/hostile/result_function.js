// expect: unserializable
return { a: { b: () => 1 } }
