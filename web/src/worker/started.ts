/** The Workers of this page. Under Trusted Types their addresses pass a policy, for which `new Worker(new URL(…))`
 * leaves no place. */
import core from "./core.worker?worker&url";
import prove from "./prove.worker?worker&url";

const SCRIPTS = { core, prove };

const policy = window.trustedTypes?.createPolicy("worker", {
  createScriptURL: (asked) => {
    if (!Object.values(SCRIPTS).includes(asked)) throw new TypeError("not a Worker of this page");
    return asked;
  },
});

export function start(name: keyof typeof SCRIPTS): Worker {
  const url = SCRIPTS[name];
  return new Worker((policy?.createScriptURL(url) ?? url) as string, { type: "module", name });
}
