// What the scripts of this folder share: one line per call that a library has.
// Every method of the objects that a script names is tried, or it is a failure;
// left are those that are not, with the reason.

// setting is a variable of the sandbox, as .ci/sdks/run gives it.
export function setting(name) {
  if (!process.env[name]) throw new Error(`${name} is not set: start the checks with .ci/sdks/run`);
  return process.env[name];
}

export class Calls {
  constructor(library, version, objects, left = {}) {
    const methods = new Map();
    Object.assign(this, { library, version, left, methods, results: new Map() });
    for (const [path, object] of Object.entries(objects)) {
      for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(object))) {
        const method = object[name];
        if (name === 'constructor' || name.startsWith('_') || typeof method !== 'function') continue;
        const label = `${path}.${name}`;
        if (left[label]) continue;
        methods.set(label, false);
        object[name] = function noted(...args) {
          methods.set(label, true);
          return method.apply(this, args);
        };
      }
    }
  }

  // tries makes a call; check sees its result. It returns undefined when it
  // failed.
  async tries(name, call, check = () => true) {
    try {
      const result = await call();
      if (!check(result)) throw new Error(`the answer is ${JSON.stringify(result)?.slice(0, 300)}`);
      this.results.set(name, '');
      return result;
    } catch (err) {
      this.results.set(name, `${err?.name}: ${err?.message}`);
      return undefined;
    }
  }

  // refused makes a call that must fail with an error of this class.
  refused(name, call, kind) {
    return this.tries(name, async () => {
      try {
        await call();
      } catch (err) {
        if (err instanceof kind) return err;
        throw err;
      }
      throw new Error('no error');
    });
  }

  // ends prints one line per call and the library's row of the table.
  ends() {
    for (const [method, called] of this.methods) {
      if (!called) this.results.set(`${method} (never called)`, 'the script does not try it');
    }
    const failed = [...this.results.values()].filter((why) => why).length;
    for (const [name, why] of this.results) {
      console.log(why ? `FAIL ${this.library}: ${name}: ${why.replace(/\s+/g, ' ').slice(0, 400)}` : `ok ${this.library}: ${name}`);
    }
    console.log(`row | ${this.library} ${this.version} | ${this.results.size} | ${this.results.size - failed} | ${Object.keys(this.left).length}`);
    process.exitCode = failed > 0 ? 1 : 0;
  }
}
