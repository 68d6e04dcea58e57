// Changes roles of members as the product does: in an audited transaction. Run with an address, it is a process of its own.
import { fromBuild } from '../../test/support/parts.mjs';

/** @returns {Promise<(change: { daoId: string, memberId: string, roles: string[] }) => Promise<void>>} resolves once it is committed */
export async function changeRoles(database) {
  const { AuditRepository } = await fromBuild('src/adapters/store/audit.repository.js');
  const { updateMember } = await fromBuild('src/adapters/store/members.repository.js');
  const audit = new AuditRepository(database);
  return ({ daoId, memberId, roles }) =>
    audit.recorded(daoId, async (db, record) => {
      await updateMember(db, daoId, memberId, { roles });
      await record({ actor: 'api:bench', action: 'member.update', subject: memberId, detail: { roles } });
    });
}

if (process.send) {
  const { openPostgres } = await fromBuild('src/adapters/store/database.js');
  const database = openPostgres(process.argv[2]);
  const change = await changeRoles(database);
  process.on('message', (message) => {
    change(message).then(
      () => process.send({ done: true }),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => void database.close());
  process.send({ ready: true });
}
