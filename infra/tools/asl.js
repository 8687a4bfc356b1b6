// Checks definitions of state machines: node asl.js FILE...
const fs = require("fs");
const validator = require("asl-validator");

let wrong = 0;
for (const file of process.argv.slice(2)) {
  // What the deployment fills in becomes an ARN, as far as the validator is concerned.
  const text = fs.readFileSync(file, "utf8").replace(/\$\{[A-Za-z]+\}/g, "arn:aws:lambda:eu-central-1:123456789012:function:switchman-batch");
  const found = validator(JSON.parse(text));
  if (!found.isValid) {
    wrong += 1;
    console.error(`${file}: ${found.errorsText("\n")}`);
  }
}
console.log(`${process.argv.length - 2} definitions, ${wrong} wrong`);
process.exit(wrong ? 1 : 0);
