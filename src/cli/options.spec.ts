import { describe, expect, it } from '@jest/globals';
import { readEnv } from '../../config/env.js';
import { parsePort, resolveEnv } from './options.js';

describe(resolveEnv.name, () => {
  it('should put the command line above the environment', () => {
    const env = readEnv({ PORT: '1', DAGI_HOME: '/a', DAGI_PROFILE: 'dev' });
    expect(resolveEnv({ port: 2, home: '/b', profile: 'prod', mcpPort: 3 }, env)).toMatchObject({
      PORT: 2,
      MCP_PORT: 3,
      home: '/b',
      DAGI_PROFILE: 'prod',
    });
    expect(resolveEnv({}, env)).toMatchObject({ PORT: 1, home: '/a' });
  });

  it('should keep the cache with the home folder, unless it has a place of its own', () => {
    expect(resolveEnv({ home: '/b' }, readEnv({ DAGI_HOME: '/a' })).cache).toBe('/b/cache');
    expect(resolveEnv({ home: '/b' }, readEnv({ DAGI_HOME: '/a', DAGI_CACHE: '/c' })).cache).toBe('/c');
    const named = readEnv({ DAGI_HOME: '/a', DAGI_CACHE: '/a/cache' });
    expect(resolveEnv({ home: '/b' }, named).cache).toBe('/a/cache');
  });
});

describe(parsePort.name, () => {
  it('should read a port', () => {
    expect([parsePort('0'), parsePort('65535')]).toEqual([0, 65_535]);
  });

  it.each(['', 'x', '-1', '1.5', '65536'])('should refuse %j', (text) => {
    expect(() => parsePort(text)).toThrow('A port is a number');
  });
});
