// expect: timeout
((s) => { for (;;) {} })`x`;
