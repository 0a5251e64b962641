/** The figures of RFC 9180, appendix A: sections A.1.1, A.2.1, A.3.1, A.6.1 and A.7.1, base mode. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8 } from '@privacy-edge/bytes';
import { BACKENDS, fixedRandom, hex, toHex } from './backends.ts';

/** The same in all of them: "Ode on a Grecian Urn" and its last line but one. */
const INFO = utf8('Ode on a Grecian Urn');
const PLAINTEXT = utf8('Beauty is truth, truth beauty');

interface Figure {
  readonly section: string;
  readonly suite: readonly [kem: number, kdf: number, aead: number];
  readonly ikmE: string;
  readonly skEm: string;
  readonly ikmR: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  /** Sequence number, which is also in the AAD, and ciphertext. */
  readonly encryptions: readonly (readonly [number, string])[];
  /** Exporter context and the 32 bytes exported. */
  readonly exports: readonly (readonly [string, string])[];
}

const FIGURES: readonly Figure[] = [
  {
    section: 'A.1.1',
    suite: [0x20, 1, 0x1],
    ikmE: '7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234',
    skEm: '52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736',
    ikmR: '6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037',
    skRm: '4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8',
    pkRm: '3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d',
    enc: '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431',
    encryptions: [
      [0, 'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a'],
      [1, 'af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84'],
      [256, '957f9800542b0b8891badb026d79cc54597cb2d225b54c00c5238c25d05c30e3fbeda97d2e0e1aba483a2df9f2'],
    ],
    exports: [
      ['', '3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee'],
      ['00', '2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5'],
      ['54657374436f6e74657874', 'e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931'],
    ],
  },
  {
    section: 'A.2.1',
    suite: [0x20, 1, 0x3],
    ikmE: '909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b',
    skEm: 'f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600',
    ikmR: '1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df',
    skRm: '8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb',
    pkRm: '4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a',
    enc: '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a',
    encryptions: [
      [0, '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28'],
      [1, '6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e85285337cc95ba5f59992dc98c'],
      [256, '7a4a13e9ef23978e2c520fd4d2e757514ae160cd0cd05e556ef692370ca53076214c0c40d4c728d6ed9e727a5b'],
    ],
    exports: [
      ['', '4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e'],
      ['00', '8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69'],
      ['54657374436f6e74657874', '5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53'],
    ],
  },
  {
    section: 'A.3.1',
    suite: [0x10, 1, 0x1],
    ikmE: '4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e',
    skEm: '4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb',
    ikmR: '668b37171f1072f3cf12ea8a236a45df23fc13b82af3609ad1e354f6ef817550',
    skRm: 'f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2',
    pkRm: [
      '04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7',
      'f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0',
    ].join(''),
    enc: [
      '04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f',
      '951c0900be863c403ce65c9bfcb9382657222d18c4',
    ].join(''),
    encryptions: [
      [0, '5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434'],
      [1, 'fa6f037b47fc21826b610172ca9637e82d6e5801eb31cbd3748271affd4ecb06646e0329cbdf3c3cd655b28e82'],
      [256, '10f179686aa2caec1758c8e554513f16472bd0a11e2a907dde0b212cbe87d74f367f8ffe5e41cd3e9962a6afb2'],
    ],
    exports: [
      ['', '5e9bc3d236e1911d95e65b576a8a86d478fb827e8bdfe77b741b289890490d4d'],
      ['00', '6cff87658931bda83dc857e6353efe4987a201b849658d9b047aab4cf216e796'],
      ['54657374436f6e74657874', 'd8f1ea7942adbba7412c6d431c62d01371ea476b823eb697e1f6e6cae1dab85a'],
    ],
  },
  {
    section: 'A.6.1',
    suite: [0x12, 3, 0x2],
    ikmE: [
      '7f06ab8215105fc46aceeb2e3dc5028b44364f960426eb0d8e4026c2f8b5d7e7a986688f1591abf5ab753c35',
      '7a5d6f0440414b4ed4ede71317772ac98d9239f70904',
    ].join(''),
    skEm: [
      '014784c692da35df6ecde98ee43ac425dbdd0969c0c72b42f2e708ab9d535415a8569bdacfcc0a114c85b8e3',
      'f26acf4d68115f8c91a66178cdbd03b7bcc5291e374b',
    ].join(''),
    ikmR: [
      '2ad954bbe39b7122529f7dde780bff626cd97f850d0784a432784e69d86eccaade43b6c10a8ffdb94bf943c6',
      'da479db137914ec835a7e715e36e45e29b587bab3bf1',
    ].join(''),
    skRm: [
      '01462680369ae375e4b3791070a7458ed527842f6a98a79ff5e0d4cbde83c27196a3916956655523a6a2556a',
      '7af62c5cadabe2ef9da3760bb21e005202f7b2462847',
    ].join(''),
    pkRm: [
      '0401b45498c1714e2dce167d3caf162e45e0642afc7ed435df7902ccae0e84ba0f7d373f646b7738bbbdca11',
      'ed91bdeae3cdcba3301f2457be452f271fa6837580e661012af49583a62e48d44bed350c7118c0d8dc861c23',
      '8c72a2bda17f64704f464b57338e7f40b60959480c0e58e6559b190d81663ed816e523b6b6a418f66d2451ec',
      '64',
    ].join(''),
    enc: [
      '040138b385ca16bb0d5fa0c0665fbbd7e69e3ee29f63991d3e9b5fa740aab8900aaeed46ed73a49055758425',
      'a0ce36507c54b29cc5b85a5cee6bae0cf1c21f2731ece2013dc3fb7c8d21654bb161b463962ca19e8c654ff2',
      '4c94dd2898de12051f1ed0692237fb02b2f8d1dc1c73e9b366b529eb436e98a996ee522aef863dd5739d2f29',
      'b0',
    ].join(''),
    encryptions: [
      [0, '170f8beddfe949b75ef9c387e201baf4132fa7374593dfafa90768788b7b2b200aafcc6d80ea4c795a7c5b841a'],
      [1, 'd9ee248e220ca24ac00bbbe7e221a832e4f7fa64c4fbab3945b6f3af0c5ecd5e16815b328be4954a05fd352256'],
      [256, 'dbbfc44ae037864e75f136e8b4b4123351d480e6619ae0e0ae437f036f2f8f1ef677686323977a1ccbb4b4f16a'],
    ],
    exports: [
      ['', '05e2e5bd9f0c30832b80a279ff211cc65eceb0d97001524085d609ead60d0412'],
      ['00', 'fca69744bb537f5b7a1596dbf34eaa8d84bf2e3ee7f1a155d41bd3624aa92b63'],
      ['54657374436f6e74657874', 'f389beaac6fcf6c0d9376e20f97e364f0609a88f1bc76d7328e9104df8477013'],
    ],
  },
  {
    section: 'A.7.1',
    suite: [0x20, 1, 0xffff],
    ikmE: '55bc245ee4efda25d38f2d54d5bb6665291b99f8108a8c4b686c2b14893ea5d9',
    skEm: '095182b502f1f91f63ba584c7c3ec473d617b8b4c2cec3fad5af7fa6748165ed',
    ikmR: '683ae0da1d22181e74ed2e503ebf82840deb1d5e872cade20f4b458d99783e31',
    skRm: '33d196c830a12f9ac65d6e565a590d80f04ee9b19c83c87f2c170d972a812848',
    pkRm: '194141ca6c3c3beb4792cd97ba0ea1faff09d98435012345766ee33aae2d7664',
    enc: 'e5e8f9bfff6c2f29791fc351d2c25ce1299aa5eaca78a757c0b4fb4bcd830918',
    encryptions: [],
    exports: [
      ['', '7a36221bd56d50fb51ee65edfd98d06a23c4dc87085aa5866cb7087244bd2a36'],
      ['00', 'd5535b87099c6c3ce80dc112a2671c6ec8e811a2f284f948cec6dd1708ee33f0'],
      ['54657374436f6e74657874', 'ffaabc85a776136ca0c378e5d084c9140ab552b78f039d2e8775f26efff4c70e'],
    ],
  },
];

for (const { name, hpke } of BACKENDS) {
  describe(`RFC 9180 appendix A on ${name}`, () => {
    for (const figure of FIGURES) {
      it(`${figure.section} derives both key pairs`, async () => {
        const kemId = figure.suite[0];
        const recipient = await hpke.deriveKeyPair(kemId, hex(figure.ikmR));
        assert.equal(toHex(hpke.exportPrivateKey(recipient)), figure.skRm);
        assert.equal(toHex(recipient.publicKey.bytes), figure.pkRm);
        const ephemeral = await hpke.deriveKeyPair(kemId, hex(figure.ikmE));
        assert.equal(toHex(hpke.exportPrivateKey(ephemeral)), figure.skEm);
        assert.equal(toHex(ephemeral.publicKey.bytes), figure.enc);
      });

      it(`${figure.section} seals, opens and exports`, async () => {
        const suite = hpke.suiteOf(...figure.suite);
        const publicKey = await hpke.importPublicKey(suite.kem.id, hex(figure.pkRm));
        const privateKey = await hpke.importPrivateKey(suite.kem.id, hex(figure.skRm));
        const { enc, context } = await hpke.setupBaseSender(suite, publicKey, INFO, fixedRandom(hex(figure.skEm)));
        assert.equal(toHex(enc), figure.enc);
        const recipient = await hpke.setupBaseRecipient(suite, privateKey, enc, INFO);
        let next = 0;
        for (const [sequence, ciphertext] of figure.encryptions) {
          for (; next < sequence; next++) await recipient.open(PLAINTEXT, await context.seal(PLAINTEXT, PLAINTEXT));
          const aad = utf8(`Count-${next++}`);
          assert.equal(toHex(await context.seal(aad, PLAINTEXT)), ciphertext);
          assert.deepEqual(await recipient.open(aad, hex(ciphertext)), PLAINTEXT);
        }
        for (const [exporterContext, exported] of figure.exports) {
          assert.equal(toHex(await context.export(hex(exporterContext), 32)), exported);
          assert.equal(toHex(await recipient.export(hex(exporterContext), 32)), exported);
        }
      });
    }
  });
}
