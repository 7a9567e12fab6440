// Written by `npm run upstream`.
export const releases = [
  { from: '1.0.0', kubernetes: { least: 25, most: 30 }, nodeClassHash: 'v3' },
  { from: '1.0.5', kubernetes: { least: 25, most: 31 }, nodeClassHash: 'v3' },
  { from: '1.1.0', kubernetes: { least: 25, most: 31 }, nodeClassHash: 'v4' },
  { from: '1.2.0', kubernetes: { least: 25, most: 32 }, nodeClassHash: 'v4' },
  { from: '1.5.0', kubernetes: { least: 26, most: 33 }, nodeClassHash: 'v4' },
  { from: '1.6.6', kubernetes: { least: 26, most: 34 }, nodeClassHash: 'v4' },
  { from: '1.7.0', kubernetes: { least: 26, most: 33 }, nodeClassHash: 'v4' },
  { from: '1.7.4', kubernetes: { least: 26, most: 34 }, nodeClassHash: 'v4' },
  { from: '1.9.0', kubernetes: { least: 26, most: 35 }, nodeClassHash: 'v4' },
  { from: '1.12.0', kubernetes: { least: 26, most: 35 }, nodeClassHash: 'v5' },
  { from: '1.13.0', kubernetes: { least: 26, most: 36 }, nodeClassHash: 'v5' },
  { from: '1.15.0', kubernetes: { least: 26, most: 37 }, nodeClassHash: 'v6' }
]
export const testedPatches = [
  '1.0.14',
  '1.1.10',
  '1.2.8',
  '1.3.8',
  '1.4.4',
  '1.5.8',
  '1.6.8',
  '1.7.6',
  '1.8.8',
  '1.9.3',
  '1.10.2',
  '1.11.3',
  '1.12.2',
  '1.13.1',
  '1.14.3',
  '1.15.2'
]
