// perennial:plugin. The helpers return what they are given: they are there for their types, which `perennial types` prints.
export const definePlugin = <T>(plugin: T): T => plugin;
export const defineTool = <T>(tool: T): T => tool;
