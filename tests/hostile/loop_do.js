// expect: timeout
do {} while (true)
