import { describe, expect, it } from '@jest/globals';
import { isPublicAddress } from './public-address.js';

describe(isPublicAddress.name, () => {
  it.each([
    'https://example.org/a.png',
    'http://example.org:8080/a?b=c',
    'https://93.184.216.34/a.png',
    'https://localhost.example.org/a.png',
    'https://example.org/@scope/a.png?b=@c',
    'http://172.32.0.1/',
  ])('takes %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    'http://127.0.0.1:9102/health',
    'http://localhost:5432/',
    'http://LOCALHOST./',
    'http://169.254.169.254/latest/meta-data',
    'http://10.1.2.3/a.png',
    'http://192.168.1.20/a.png',
    'http://172.16.0.1/',
    'http://100.64.0.1/',
    'http://0/',
    'http://2130706433/',
    'http://0x7f.1/',
    'https://[2606:2800:220:1::1]/a.png',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[fd00::1]/',
    'http://[fe80::1]/',
    'http://minio/bucket/a.png',
    'http://metadata.google.internal/',
    'http://printer.local/',
    'http://user@127.0.0.1/',
    'http://example.org\\@169.254.169.254/x',
    'http://example.org@169.254.169.254/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://198.18.0.1/',
    'http://minio.default.svc/a.png',
    'no address',
    'http://',
  ])('refuses %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
