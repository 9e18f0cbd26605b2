// expect: timeout
'aaa'.replace(/a/g, () => { for (;;) {} });
