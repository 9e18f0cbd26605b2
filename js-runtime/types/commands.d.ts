// commands: what a script may run, as the host has declared it, and what its session has running. Nothing may be run unless it was declared.

/** Values for the placeholders of a command: texts, numbers and booleans, or a list of them for `${...name}`. */
type CommandValues = { readonly [name: string]: string | number | boolean | readonly (string | number | boolean)[] };

interface CommandResult {
  /** By the declaration's `output`: a text, the value of the JSON, a list of lines, or bytes. */
  stdout: any;
  stderr: string;
  exitCode: number;
  signal: string | null;
  durationMs: number;
}

/** What `commands.run` throws when a command does not end well. */
interface CommandError extends Error {
  name: "CommandError";
  command: string;
  /** `exit`: with another code than 0; `signal`; or why it was killed: `timeout`, `overflow`, `processes`. `output`: what it wrote is no JSON. */
  reason: "exit" | "output" | "overflow" | "processes" | "signal" | "timeout";
  /** What it wrote until then; a text instead of JSON. */
  stdout: any;
  stderr: string;
  exitCode: number | null;
  signal: string | null;
  durationMs: number;
}
declare const CommandError: { readonly prototype: CommandError };

interface StartedCommand {
  id: number;
  name: string;
  pid: number;
  running: boolean;
  exitCode: number | null;
  signal: string | null;
  uptimeMs: number;
  restarts: number;
  /** Its ports on 127.0.0.1, which `fetch` reaches while it runs. */
  ports: { readonly [name: string]: number };
  /** Why it ended, if that was not its own doing. */
  why?: string;
}
interface CommandStatus extends StartedCommand {
  /** CPU time of it and all that it started. */
  cpuMs: number;
  rssBytes: number;
  processes: number;
}
interface CommandLine {
  stream: "host" | "stderr" | "stdout";
  text: string;
  /** Milliseconds since 1970. */
  time: number;
  /** The line goes on. */
  partial?: true;
}

interface Commands {
  /** Runs a command to its end. It is killed when its time is over, the signal is aborted, or the script is stopped. */
  run(name: string, values?: CommandValues, options?: { stdin?: ArrayBuffer | ArrayBufferView | string; signal?: AbortSignal; timeoutMs?: number }): Promise<CommandResult>;
  /** Starts a persistent command and waits until it is ready. It outlives the script and ends with the session. One that runs already is returned as it is. */
  start(name: string, values?: CommandValues): Promise<StartedCommand>;
  list(): StartedCommand[];
  /** What may be run, and with `persistent` started. `values` are as an object would have them: `name`, `names: […]`. */
  declared(): { name: string; values: string[]; persistent: boolean }[];
  status(id: number): Promise<CommandStatus>;
  /** Lines from a cursor on: `next` of the call before. `missed` lines are not kept any more. */
  logs(id: number, options?: { since?: number }): { lines: CommandLine[]; next: number; missed: number };
  /** Waits until it has ended and is not started again. */
  wait(id: number, options?: { timeoutMs?: number }): Promise<StartedCommand>;
  /** Writes to its standard input; `null` closes that. */
  write(id: number, data: ArrayBuffer | ArrayBufferView | string | null): Promise<void>;
  /** Sends a signal to its group. */
  signal(id: number, name: string): void;
  restart(id: number, options?: { graceMs?: number }): Promise<StartedCommand>;
  /** TERM, and KILL after the grace (5 seconds unless set). Back when nothing of it is left. */
  stop(id: number, options?: { graceMs?: number }): Promise<StartedCommand>;
}
declare const commands: Commands;
