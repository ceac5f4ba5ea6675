// Loaded into a client of 0.6.34 before its own code: its log tells of each exchange of keys that the server begins.
const { realpathSync } = require("fs");
const { dirname } = require("path");
const { Client } = require(require.resolve("ssh2", { paths: [dirname(realpathSync(process.argv[1]))] }));
const { connect } = Client.prototype;
Client.prototype.connect = function (config) {
  const debug = (line) => line.includes("Received re-key request") && console.log("keys are exchanged");
  return connect.call(this, { ...config, debug });
};
