// expect: unserializable
return { a: ['\ud800'] }
