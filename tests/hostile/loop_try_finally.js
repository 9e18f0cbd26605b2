// expect: timeout
for (;;) { try { for (;;) {} } finally { continue; } }
