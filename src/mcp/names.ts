/** How the server is called, by clients and in records. */
export const SERVER_NAME = 'dagi-stack';
export const SERVER_TITLE = 'DAGI Stack';
/** Of requests that came over MCP, unless they say otherwise. */
export const SOURCE = 'mcp';
/** Name of the protocol's extension for work that outlives a call. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';
